<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="165,0,38,255"/>
       <Option type="QString" name="color2" value="49,54,149,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.3;244,109,67,255:0.4;253,174,97,255:0.5;255,255,191,255:0.6;171,217,233,255:0.7;116,173,209,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#a50026" alpha="255" label="-1: very dry"/>
     <item value="-0.4" color="#f46d43" alpha="255" label="-0.4: dry, bare soil"/>
     <item value="-0.2" color="#fdae61" alpha="255" label="-0.2: dry plants"/>
     <item value="0" color="#ffffbf" alpha="255" label="0: sparse plants"/>
     <item value="0.2" color="#abd9e9" alpha="255" label="0.2: moist plants"/>
     <item value="0.4" color="#74add1" alpha="255" label="0.4: very moist plants"/>
     <item value="1" color="#313695" alpha="255" label="1: water"/>
     <rampLegendSettings useContinuousLegend="0" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
