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
       <Option type="QString" name="color1" value="77,51,25,255"/>
       <Option type="QString" name="color2" value="0,68,27,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.5;169,124,80,255:0.6;226,212,154,255:0.7;168,207,106,255:0.85;63,154,69,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#4d3319" alpha="255" label="-1"/>
     <item value="0" color="#a97c50" alpha="255" label="0"/>
     <item value="0.2" color="#e2d49a" alpha="255" label="0.2"/>
     <item value="0.4" color="#a8cf6a" alpha="255" label="0.4"/>
     <item value="0.7" color="#3f9a45" alpha="255" label="0.7"/>
     <item value="1" color="#00441b" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
