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
       <Option type="QString" name="color1" value="45,0,75,255"/>
       <Option type="QString" name="color2" value="127,59,8,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.3;128,115,172,255:0.45;216,218,235,255:0.5;247,247,247,255:0.6;253,184,99,255:0.75;224,130,20,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#2d004b" alpha="255" label="-1: water"/>
     <item value="-0.4" color="#8073ac" alpha="255" label="-0.4: dense plants"/>
     <item value="-0.1" color="#d8daeb" alpha="255" label="-0.1: plants"/>
     <item value="0" color="#f7f7f7" alpha="255" label="0: built-up or bare soil above"/>
     <item value="0.2" color="#fdb863" alpha="255" label="0.2: built-up or bare soil"/>
     <item value="0.5" color="#e08214" alpha="255" label="0.5: built-up or bare soil"/>
     <item value="1" color="#7f3b08" alpha="255" label="1: built-up or bare soil"/>
     <rampLegendSettings useContinuousLegend="0" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
