<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="360" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="360">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="226,217,226,255"/>
       <Option type="QString" name="color2" value="226,217,226,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.25;98,118,186,255:0.5;47,20,55,255:0.75;178,86,82,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#e2d9e2" alpha="255" label="0"/>
     <item value="90" color="#6276ba" alpha="255" label="90"/>
     <item value="180" color="#2f1437" alpha="255" label="180"/>
     <item value="270" color="#b25652" alpha="255" label="270"/>
     <item value="360" color="#e2d9e2" alpha="255" label="360"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix="°"/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
